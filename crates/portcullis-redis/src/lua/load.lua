-- ARGV: kind, id.
local found = live(ARGV[5], ARGV[6], (now()))
if not found then return { 'none' } end
return { 'ok', found[1], found[2], found[3], found[4], found[5], found[6] }
