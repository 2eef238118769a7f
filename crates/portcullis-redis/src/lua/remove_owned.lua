-- ARGV: kind, owner, cursor, how many at once, instant ('' for all), how long revocations are remembered.
local kind, owner, instant = ARGV[5], ARGV[6], tonumber(ARGV[9])
local millis, micros = now()
local index = index_of(kind, owner)
if instant then
  local cutoff = cutoff_of(kind, owner)
  local before = redis.call('GET', cutoff)
  if not before or tonumber(before) < instant then
    redis.call('SET', cutoff, whole(instant))
    -- A minute more, for clocks that differ after a failover. And as long as there are records: when this is
    -- interrupted, those that are left may not outlive it.
    local last = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')
    local remembered = math.max(instant + tonumber(ARGV[10]), tonumber(last[2] or '0')) + 60000
    redis.call('PEXPIREAT', cutoff, whole(remembered))
  end
end
local scanned = redis.call('ZSCAN', index, ARGV[7], 'COUNT', ARGV[8])
local removed = 0
for place = 1, #scanned[2], 2 do
  local id = scanned[2][place]
  local found = redis.call('HMGET', record_at(kind, id), 'o', 'c', 'e')
  if found[1] ~= owner then
    redis.call('ZREM', index, id)
  elseif not instant or tonumber(found[2]) <= instant then
    if tonumber(found[3]) > millis then removed = removed + 1 end
    forget(kind, id)
  end
end
-- After each part: a reader that heard of an earlier one may have loaded what this one removed.
note('o', kind, owner, micros)
return { 'ok', scanned[1], whole(removed) }
