-- Bring the counters of all up to what one process has counted since its start; told again, it adds nothing.
-- KEYS: counters of all (hash), what this process has told (hash). ARGV: seconds to keep the latter, then triples of
-- name, count since the start of the process, count that it knows to be told (for when the second key has expired)
for index = 2, #ARGV, 3 do
  local name, count = ARGV[index], tonumber(ARGV[index + 1])
  local told = tonumber(redis.call('HGET', KEYS[2], name) or ARGV[index + 2])
  if count > told then
    redis.call('HINCRBY', KEYS[1], name, count - told)
    redis.call('HSET', KEYS[2], name, count)
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[1])
return 1
