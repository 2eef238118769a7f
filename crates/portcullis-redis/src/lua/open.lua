-- Prepares a bucket, and says what Redis does when its memory is full ('' when it does not tell).
begin()
local memory = redis.pcall('INFO', 'memory')
local policy = type(memory) == 'string' and string.match(memory, 'maxmemory_policy:([%w%-]+)')
return { 'ok', policy or '' }
