-- Bring the counters of all up to what one process has counted since its start; told again, it adds nothing.
-- KEYS: counters of all (hash), what this process has told (hash). ARGV: milliseconds to keep the latter, then triples
-- of name, count since the start of the process, count that it knows to be told (for when the second key has expired)
local told = {}
local stored = redis.call('HGETALL', KEYS[2])
for index = 1, #stored, 2 do
  told[stored[index]] = tonumber(stored[index + 1])
end
for index = 2, #ARGV, 3 do
  local name, count = ARGV[index], tonumber(ARGV[index + 1])
  local known = told[name] or tonumber(ARGV[index + 2])
  if count > known then
    redis.call('HINCRBY', KEYS[1], name, count - known)
    redis.call('HINCRBY', KEYS[2], name, count - (told[name] or 0))
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
