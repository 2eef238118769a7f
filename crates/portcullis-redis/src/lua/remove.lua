-- ARGV: kind, id. Takes and deletes: what is removed here is handed out once.
local kind, id = ARGV[5], ARGV[6]
local millis, micros = now()
local found = live(kind, id, millis)
forget(kind, id)
if not found then return { 'none' } end
note('r', kind, id, micros)
return { 'ok', found[1], found[2], found[3], found[4], found[5], found[6] }
