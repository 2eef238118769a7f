-- Where the log ends: its name, the number of its last entry, and the stamp of that entry.
begin()
local state = redis.call('HMGET', bucket, 'e', 'n', 's')
return { 'ok', state[1], state[2], state[3] }
