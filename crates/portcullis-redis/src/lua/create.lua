-- ARGV: kind, id, owner ('' for nobody), date ('' for now), expiry, limit, payload, how long revocations are remembered.
local kind, id, owner, date = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local millis, micros = now()
if live(kind, id, millis) then return { 'present' } end

local created = millis
if date ~= '' then created = math.min(tonumber(date), millis) end
local limit = tonumber(ARGV[10])
local expires = math.min(tonumber(ARGV[9]), limit)
if expires <= millis then return { 'expired' } end
if created + tonumber(ARGV[12]) < millis then return { 'too_old' } end
if owner ~= '' then
  local cutoff = redis.call('GET', cutoff_of(kind, owner))
  if cutoff and created <= tonumber(cutoff) then return { 'revoked' } end
end

local version = next_version(micros)
local key = record_at(kind, id)
forget(kind, id)
redis.call('HSET', key, 'v', version, 'c', whole(created), 'e', whole(expires), 'l', whole(limit), 'p', ARGV[11])
redis.call('PEXPIREAT', key, whole(expires))
if owner ~= '' then
  redis.call('HSET', key, 'o', owner)
  list(kind, owner, id, expires, millis)
  note('r', kind, id, micros)
end
return { 'ok', version }
