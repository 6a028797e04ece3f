-- Put a dead letter back on the stream, with its payload and its identity, and take it out of the dead letters.
-- KEYS: dead, jobs. ARGV: id of the dead letter, then pairs of names and values of the new entry.
-- Returns the id of the new entry, or false when the dead letter is gone.
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return false end
local id = redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], ARGV[1])
return id
