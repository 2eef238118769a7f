-- ARGV: kind, owner, cursor, how many at once. A record that is listed all the while is handed out at least once,
-- also when its expiry changes meanwhile.
local kind, owner = ARGV[5], ARGV[6]
local millis = now()
local index = index_of(kind, owner)
local scanned = redis.call('ZSCAN', index, ARGV[7], 'COUNT', ARGV[8])
local answer = { 'ok', scanned[1] }
for place = 1, #scanned[2], 2 do
  local id = scanned[2][place]
  local found = live(kind, id, millis)
  if found and found[1] == owner then
    table.insert(answer, id)
    for field = 1, 6 do table.insert(answer, found[field]) end
  elseif redis.call('HGET', record_at(kind, id), 'o') == owner then
    -- Dead, and still there: an interrupted revocation may have left it. On the list until it is gone, or the next
    -- one would pass over it.
    forget(kind, id)
  else
    redis.call('ZREM', index, id)
  end
end
return answer
