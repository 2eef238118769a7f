-- ARGV: kind, id, expected version, payload, extended to ('' if not), ended by ('' if not).
local kind, id = ARGV[5], ARGV[6]
local millis, micros = now()
local found = live(kind, id, millis)
if not found then return { 'not_found' } end
if found[2] ~= ARGV[7] then return { 'conflict' } end

local expires, limit = tonumber(found[4]), tonumber(found[5])
if ARGV[9] ~= '' then expires = math.max(math.min(tonumber(ARGV[9]), limit), expires) end
if ARGV[10] ~= '' then
  limit = math.min(tonumber(ARGV[10]), limit)
  expires = math.min(expires, limit)
end
local version = next_version(micros)
local key = record_at(kind, id)
redis.call('HSET', key, 'v', version, 'e', whole(expires), 'l', whole(limit), 'p', ARGV[8])
redis.call('PEXPIREAT', key, whole(expires))
if found[1] then list(kind, found[1], id, expires, millis) end
note('r', kind, id, micros)
return { 'ok', version }
