-- id: kisaan_users.shop_id.owner_disputed
-- title: no owner is a member of a shop (installations disagree whether that is right)
-- table: kisaan_users
-- severity: info
-- why: Installations disagree. The public schema's own CHECK, and its shop service, make every owner a member of his shop; the
--   migration 20251027_01 and all other installations want an owner without one. Where both kinds of owners are in one database,
--   half of them see a different list.
-- hint: nothing to do tonight; decide which of the two holds here, and enforce it with one CHECK
-- owner: operations
-- tags: identity
-- applies: table SequelizeMeta
-- key: id
-- shows: shop_id
SELECT id, shop_id
FROM kisaan_users
WHERE lower(role::text) = 'owner' AND shop_id IS NOT NULL
