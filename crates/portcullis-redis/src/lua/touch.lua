-- ARGV: kind, id, new expiry.
local kind, id = ARGV[5], ARGV[6]
local millis = now()
local found = live(kind, id, millis)
if not found then return { 'not_found' } end
local expires = math.max(math.min(tonumber(ARGV[7]), tonumber(found[5])), tonumber(found[4]))
local key = record_at(kind, id)
redis.call('HSET', key, 'e', whole(expires))
redis.call('PEXPIREAT', key, whole(expires))
if found[1] then list(kind, found[1], id, expires, millis) end
return { 'ok', whole(expires) }
