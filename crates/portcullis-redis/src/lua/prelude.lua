-- What every script begins with. A script is one step: Redis runs nothing else meanwhile.
--
-- KEYS[1] is the hash of the bucket. All other names are made from it, so they have its hash tag and its slot.
--   b  the number of buckets       v  the last version given out
--   e  the name of this log        n  the number of its last entry      s  the stamp of that entry
-- ARGV[1] number of buckets, [2] the name of this instance, [3] channel, [4] length of the log; [5] on: each script's own.
-- Times are whole milliseconds and, like versions, below 2^53: numbers of Lua hold them exactly.

local bucket = KEYS[1]

local function whole(number)
  return string.format('%.0f', number)
end

-- Milliseconds and microseconds, by the clock of this server.
local function now()
  local time = redis.call('TIME')
  local seconds, micros = tonumber(time[1]), tonumber(time[2])
  return seconds * 1000 + math.floor(micros / 1000), seconds * 1000000 + micros
end

-- Lengths in the names keep kinds apart that contain a colon.
local function named(sort, kind, name)
  return bucket .. ':' .. sort .. ':' .. #kind .. ':' .. kind .. ':' .. name
end

local function record_at(kind, id) return named('r', kind, id) end
local function index_of(kind, owner) return named('o', kind, owner) end
local function cutoff_of(kind, owner) return named('c', kind, owner) end
local function log() return bucket .. ':log' end

-- Whether the data were written with another number of buckets: then records are not where this client looks.
local function elsewhere()
  local buckets = redis.call('HGET', bucket, 'b')
  return buckets and buckets ~= ARGV[1]
end

-- Owner, version, date, expiry, limit, payload of what lives; nil for what does not. A record that is dated no
-- later than the owner's cutoff is dead, even where a revocation was interrupted before it came to it.
local function live(kind, id, millis)
  local found = redis.call('HMGET', record_at(kind, id), 'o', 'v', 'c', 'e', 'l', 'p')
  if not found[2] or tonumber(found[4]) <= millis then return nil end
  if found[1] then
    local cutoff = redis.call('GET', cutoff_of(kind, found[1]))
    if cutoff and tonumber(found[3]) <= tonumber(cutoff) then return nil end
  end
  return found
end

-- Removes a record, dead or alive, and its place in the owner's list. DEL first: when there is no memory left, Redis
-- lets a script that began with it go on.
local function forget(kind, id)
  local owner = redis.call('HGET', record_at(kind, id), 'o')
  redis.call('DEL', record_at(kind, id))
  if owner then redis.call('ZREM', index_of(kind, owner), id) end
end

-- Lists a record with its owner until it expires. What has expired leaves the list, and the list ends with its last.
local function list(kind, owner, id, expires, millis)
  local index = index_of(kind, owner)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', whole(millis))
  redis.call('ZADD', index, whole(expires), id)
  local last = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')
  redis.call('PEXPIREAT', index, whole(tonumber(last[2])))
end

-- The log gets a name of its own the first time, and whenever its state was lost: the instance may be the same.
local function begin()
  if redis.call('HEXISTS', bucket, 'e') == 0 then
    redis.call('DEL', log())
    local _, micros = now()
    redis.call('HSET', bucket, 'e', ARGV[2] .. '.' .. whole(micros), 'b', ARGV[1], 'n', '0', 's', '')
  end
end

-- Greater than every one before, and, being a time, also greater than what a failover or a flush has forgotten.
local function next_version(micros)
  begin()
  local last = tonumber(redis.call('HGET', bucket, 'v') or '0')
  local version = whole(math.max(last + 1, micros))
  redis.call('HSET', bucket, 'v', version)
  return version
end

-- Writes an entry: 'r' and an id, or 'o' and an owner. The numbers have no gaps, and the stamp tells an entry from
-- another one of the same number that a failover made.
local function note(sort, kind, name, micros)
  begin()
  local number = redis.call('HINCRBY', bucket, 'n', 1)
  local stamp = whole(micros) .. '.' .. ARGV[2]
  redis.call('HSET', bucket, 's', stamp)
  redis.call('XADD', log(), 'MAXLEN', '~', ARGV[4], whole(number) .. '-0', 's', stamp, 't', sort, 'k', kind, 'i', name)
  -- It only wakes. Who may not publish is read a little later.
  redis.pcall('PUBLISH', ARGV[3], '')
end

-- A server that was a primary a moment ago and is a replica now knows nothing of what was done since. One that does
-- not tell is believed.
local function is_replica()
  local told = redis.pcall('INFO', 'replication')
  return type(told) == 'string' and string.find(told, 'role:slave', 1, true)
end

if is_replica() then return redis.error_reply('READONLY a replica') end
if elsewhere() then return { 'buckets' } end
