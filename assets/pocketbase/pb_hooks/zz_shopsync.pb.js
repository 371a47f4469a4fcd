/// <reference path="../pb_data/types.d.ts" />

// ShopSync's only hook file; ShopSync writes it anew at each start. It touches nothing but ShopSync's own fields:
//
//  - what is completed and does not come from RainTek is shown as waiting to be sent, again after each change;
//  - ShopSync's own fields keep their values when anybody but a superuser sends them. That is not refused: a phone
//    that sends them goes on working;
//  - a bill that was made in RainTek can be changed or deleted there only: anybody else than a superuser is refused,
//    for the bill and for its lines and payments;
//  - where the counters are ShopSync's own, an invoice that is completed without a number is given the next one.
//
// The name sorts last, so that these handlers see what the app's own hooks have set before them. PocketBase runs each
// handler in a place of its own where nothing else of this file exists: that is why names repeat.

onRecordCreateRequest((e) => {
  if (!e.hasSuperuserAuth()) {
    const own = {
      "{{invoices}}": ["{{invoices.source}}", "{{invoices.sync_status}}", "{{invoices.sync_error}}", "{{invoices.raintek_inv_id}}"],
      "{{products}}": ["{{products.raintek_product_id}}", "{{products.last_synced_at}}"],
      "{{customers}}": ["{{customers.raintek_customer_id}}"],
    }[e.record.collection().name] || []
    for (const name of own) {
      if (e.record.collection().fields.getByName(name)) e.record.set(name, null)
    }
  }
  e.next()
}, "{{invoices}}", "{{products}}", "{{customers}}")

onRecordUpdateRequest((e) => {
  if (!e.hasSuperuserAuth()) {
    const own = {
      "{{invoices}}": ["{{invoices.source}}", "{{invoices.sync_status}}", "{{invoices.sync_error}}", "{{invoices.raintek_inv_id}}"],
      "{{products}}": ["{{products.raintek_product_id}}", "{{products.last_synced_at}}"],
      "{{customers}}": ["{{customers.raintek_customer_id}}"],
    }[e.record.collection().name] || []
    const before = e.record.original()
    for (const name of own) {
      if (e.record.collection().fields.getByName(name)) e.record.set(name, before.get(name))
    }
  }
  e.next()
}, "{{invoices}}", "{{products}}", "{{customers}}")

const readOnlyBill = (e) => {
  const source = e.record.original().getString("{{invoices.source}}").trim().toLowerCase()
  if (!e.hasSuperuserAuth() && source === "raintek") {
    throw new ForbiddenError("This bill was made in RainTek. It can only be changed or deleted there.")
  }
  e.next()
}
onRecordUpdateRequest(readOnlyBill, "{{invoices}}")
onRecordDeleteRequest(readOnlyBill, "{{invoices}}")

// Both the bill that a line or payment belongs to and the one that it would belong to.
const readOnlyPart = (e) => {
  if (!e.hasSuperuserAuth()) {
    const payment = e.record.collection().name === "{{invoice_payments}}"
    const link = payment ? "{{invoice_payments.invoice}}" : "{{invoice_items.invoice}}"
    for (const parent of [e.record.getString(link), e.record.original().getString(link)]) {
      let source = ""
      try {
        source = parent ? e.app.findRecordById("{{invoices}}", parent).getString("{{invoices.source}}") : ""
      } catch (_) {
        // A line whose invoice does not exist (yet) is the app's own affair.
      }
      if (source.trim().toLowerCase() === "raintek") {
        throw new ForbiddenError("This bill was made in RainTek. It can only be changed or deleted there.")
      }
    }
  }
  e.next()
}
onRecordCreateRequest(readOnlyPart, "{{invoice_items}}", "{{invoice_payments}}")
onRecordUpdateRequest(readOnlyPart, "{{invoice_items}}", "{{invoice_payments}}")
onRecordDeleteRequest(readOnlyPart, "{{invoice_items}}", "{{invoice_payments}}")

// An invoice becomes pending when it is completed and when anything of it changes that is not ShopSync's own: so
// ShopSync's own stamp never asks for another one.
const markInvoice = (e) => {
  const record = e.record
  const fields = record.collection().fields
  const word = (name) => record.getString(name).trim().toLowerCase()
  const ready = fields.getByName("{{invoices.sync_status}}") && fields.getByName("{{invoices.source}}")
  if (ready && word("{{invoices.status}}") === "completed" && word("{{invoices.source}}") !== "raintek") {
    const own = ["{{invoices.source}}", "{{invoices.sync_status}}", "{{invoices.sync_error}}", "{{invoices.raintek_inv_id}}"]
    const before = record.original()
    let changed = record.isNew()
    for (const name of changed ? [] : fields.fieldNames()) {
      if (own.includes(name) || fields.getByName(name).type() === "autodate") continue
      if (JSON.stringify([record.get(name)]) !== JSON.stringify([before.get(name)])) {
        changed = true
        break
      }
    }
    if (changed) {
      record.set("{{invoices.source}}", "app")
      record.set("{{invoices.sync_status}}", "pending")
      record.set("{{invoices.sync_error}}", "")
    }
  }
  e.next()
}
onRecordCreate(markInvoice, "{{invoices}}")
onRecordUpdate(markInvoice, "{{invoices}}")

// A line or payment of a completed invoice was written: the invoice waits again. By then the write itself stands, and
// whatever goes wrong here must not turn it into an error for the phone.
const markParent = (e) => {
  e.next()
  try {
    const link = e.record.collection().name === "{{invoice_payments}}" ? "{{invoice_payments.invoice}}" : "{{invoice_items.invoice}}"
    const parent = e.record.getString(link)
    if (!parent) return
    // Read and written in one transaction: what another phone writes into the invoice in that moment stays.
    e.app.runInTransaction((tx) => {
      const invoice = tx.findRecordById("{{invoices}}", parent)
      const word = (name) => invoice.getString(name).trim().toLowerCase()
      const shown = word("{{invoices.sync_status}}") === "synced" || word("{{invoices.sync_status}}") === "failed"
      if (shown && word("{{invoices.status}}") === "completed" && word("{{invoices.source}}") !== "raintek") {
        invoice.set("{{invoices.sync_status}}", "pending")
        tx.saveNoValidate(invoice)
      }
    })
  } catch (_) {
    // The invoice went with its lines, or cannot be saved: ShopSync looks at all invoices by itself.
  }
}
onRecordAfterCreateSuccess(markParent, "{{invoice_items}}", "{{invoice_payments}}")
onRecordAfterUpdateSuccess(markParent, "{{invoice_items}}", "{{invoice_payments}}")
onRecordAfterDeleteSuccess(markParent, "{{invoice_items}}", "{{invoice_payments}}")

// Numbers. Only where the counters are ShopSync's own: an app that numbers its invoices itself is left its way.
//
// An invoice that is completed without a number gets the next one, in the transaction that saves it: two phones never
// share one, and one that is refused uses none up. The number is formed as RainTek's till forms it.
const giveNumber = (e) => {
  const record = e.record
  const wanted =
    record.getString("{{invoices.status}}").trim().toLowerCase() === "completed" &&
    record.getString("{{invoices.source}}").trim().toLowerCase() !== "raintek" &&
    record.getString("{{invoices.invoice_number}}").trim() === ""
  let own = false
  try {
    own = wanted && e.app.findCollectionByNameOrId("{{counters}}").id === "shopsync_counters"
  } catch (_) {
    // No counters, no numbers.
  }
  if (!own) return e.next()
  const before = e.app
  try {
    e.app.runInTransaction((tx) => {
      const plain = record.getString("{{invoices.tax_type}}").trim().toUpperCase() === "NON GST"
      let counter
      try {
        counter = tx.findFirstRecordByData("{{counters}}", "{{counters.name}}", plain ? "invoice_non_gst" : "invoice_gst")
      } catch (_) {
        throw new BadRequestError("ShopSync has not read RainTek's numbers yet. Try again in a moment.")
      }
      // A time of exactly midnight UTC is a plain date; any other is an instant, whose day is the shop's.
      const date = record.getString("{{invoices.invoice_date}}")
      const instant = date ? new Date(date.replace(" ", "T")) : new Date()
      const day = / 00:00:00.000Z$/.test(date) ? instant : new Date(instant.getTime() + {{ZONE_MINUTES}} * 60000)
      const year = day.getUTCMonth() >= 3 ? day.getUTCFullYear() : day.getUTCFullYear() - 1
      const suffix = counter.getString("{{counters.suffix}}") || year + "/" + String((year + 1) % 100).padStart(2, "0")
      let n = counter.getInt("{{counters.value}}")
      let number = ""
      for (;;) {
        n += 1
        number = counter.getString("{{counters.prefix}}") + "-" + String(n).padStart(4, "0") + "-" + suffix
        const filter = "{{invoices.invoice_number}} = {:number} && {{invoices.status}} != 'draft'"
        if (tx.findRecordsByFilter("{{invoices}}", filter, "", 1, 0, { number: number }).length === 0) break
      }
      counter.set("{{counters.value}}", n)
      tx.save(counter)
      record.set("{{invoices.invoice_number}}", number)
      e.app = tx
      e.next()
    })
  } finally {
    e.app = before
  }
}
onRecordCreate(giveNumber, "{{invoices}}")
onRecordUpdate(giveNumber, "{{invoices}}")

// ShopSync lifts the counters to RainTek's, never down, whatever a phone takes in the same moment.
routerAdd("POST", "/api/shopsync/numbers", (e) => {
  if (!e.hasSuperuserAuth()) throw new ForbiddenError("Only ShopSync may do that.")
  const body = e.requestInfo().body
  let followed = false
  $app.runInTransaction((tx) => {
    let collection
    try {
      collection = tx.findCollectionByNameOrId("{{counters}}")
    } catch (_) {
      return
    }
    if (collection.id !== "shopsync_counters") return
    for (const series of body.series) {
      let counter
      try {
        counter = tx.findFirstRecordByData("{{counters}}", "{{counters.name}}", series.name)
      } catch (_) {
        counter = new Record(collection)
        counter.set("{{counters.name}}", series.name)
      }
      const value = Math.max(counter.getInt("{{counters.value}}"), series.value)
      const same =
        !counter.isNew() &&
        value === counter.getInt("{{counters.value}}") &&
        series.prefix === counter.getString("{{counters.prefix}}") &&
        series.suffix === counter.getString("{{counters.suffix}}")
      if (same) continue
      counter.set("{{counters.value}}", value)
      counter.set("{{counters.prefix}}", series.prefix)
      counter.set("{{counters.suffix}}", series.suffix)
      tx.save(counter)
    }
    followed = true
  })
  return e.json(200, { followed: followed })
})

// ShopSync gives an invoice whose number somebody else has the next free one. The number is compared and set in one
// transaction: what a phone writes in the same moment is neither lost nor overwritten, and no other phone gets it.
routerAdd("POST", "/api/shopsync/renumber", (e) => {
  if (!e.hasSuperuserAuth()) throw new ForbiddenError("Only ShopSync may do that.")
  const body = e.requestInfo().body
  let answer = { number: null }
  $app.runInTransaction((tx) => {
    let record
    try {
      record = tx.findRecordById("{{invoices}}", body.id)
    } catch (_) {
      return
    }
    const word = (name) => record.getString(name).trim().toLowerCase()
    if (word("{{invoices.status}}") !== "completed" || word("{{invoices.source}}") === "raintek") return
    const there = record.getString("{{invoices.invoice_number}}").trim()
    if (there !== body.from) {
      answer = { number: there }
      return
    }
    let counter = null
    try {
      if (tx.findCollectionByNameOrId("{{counters}}").id === "shopsync_counters") {
        counter = tx.findFirstRecordByData("{{counters}}", "{{counters.name}}", body.name)
      }
    } catch (_) {
      // An app without counters of ours: what its invoices carry is all that counts.
    }
    let n = Math.max(body.above, counter ? counter.getInt("{{counters.value}}") : 0)
    let number = ""
    for (;;) {
      n += 1
      number = body.prefix + "-" + String(n).padStart(4, "0") + "-" + body.suffix
      const filter = "{{invoices.invoice_number}} = {:number}"
      if (tx.findRecordsByFilter("{{invoices}}", filter, "", 1, 0, { number: number }).length === 0) break
    }
    if (counter) {
      counter.set("{{counters.value}}", n)
      tx.save(counter)
    }
    record.set("{{invoices.invoice_number}}", number)
    tx.save(record)
    answer = { number: number }
  })
  return e.json(200, answer)
})

// Tells ShopSync that this very text is what runs: PocketBase does not load hooks anew while it runs on Windows.
routerAdd("GET", "/api/shopsync/hook", (e) => e.json(200, { hook: "{{HOOK}}" }))
