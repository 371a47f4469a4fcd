/// <reference path="../pb_data/types.d.ts" />

// The collections of a billing app that ShopSync laid down itself, in an empty folder. Signed-in users of `users` bill;
// nobody may sign up on their own, or whoever is on the shop's Wi-Fi could read the books.
migrate((app) => {
  const users = app.findCollectionByNameOrId("users")
  users.createRule = null
  app.save(users)
  app.importCollections({{COLLECTIONS}}, false)
}, () => {
  // Undoing this would delete the shop's invoices: it is left to a person.
})
