/// <reference path="../pb_data/types.d.ts" />

// ShopSync's own fields beside the app's. Nothing that is there is changed: no rule, index, field or record.
migrate((app) => {
  const own = {{FIELDS}}
  for (const name of Object.keys(own)) {
    let collection
    try {
      collection = app.findCollectionByNameOrId(name)
    } catch (_) {
      continue // ShopSync looks again once the app has its collections.
    }
    const missing = own[name].filter((field) => !collection.fields.getByName(field.name))
    for (const field of missing) collection.fields.add(new Field(field))
    if (missing.length > 0) app.save(collection)
  }
}, () => {
  // Fields with data in them are not taken away by themselves.
})
