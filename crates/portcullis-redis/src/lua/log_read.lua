-- ARGV: name of the log, number and stamp of the entry that was read last (0 and '' for none), how many at once.
-- That entry has to be there still, the same one, and the numbers after it have to follow one another to the end.
local state = redis.call('HMGET', bucket, 'e', 'n', 's')
if state[1] ~= ARGV[5] then return { 'lost' } end
local number, stamp, most = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
if whole(number) == state[2] then
  if stamp ~= state[3] then return { 'lost' } end
  return { 'ok', state[2], state[3], '0' }
end

local rows = redis.call('XRANGE', log(), whole(number) .. '-0', '+', 'COUNT', most + 2)
local first = 1
if number > 0 then
  if not rows[1] or rows[1][1] ~= whole(number) .. '-0' or rows[1][2][2] ~= stamp then return { 'lost' } end
  first = 2
end
local last = math.min(#rows, first + most - 1)
local more = #rows > last
local changes = {}
for place = first, last do
  local fields = rows[place][2]
  number = number + 1
  if rows[place][1] ~= whole(number) .. '-0' then return { 'lost' } end
  stamp = fields[2]
  for _, field in ipairs({ 4, 6, 8 }) do table.insert(changes, fields[field]) end
end
if not more and whole(number) ~= state[2] then return { 'lost' } end
local answer = { 'ok', whole(number), stamp, more and '1' or '0' }
for _, field in ipairs(changes) do table.insert(answer, field) end
return answer
