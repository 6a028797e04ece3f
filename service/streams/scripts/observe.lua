-- Note how long the stream is this minute, of all who note it in a minute the last one is kept, and the version of
-- the consumer that looked. KEYS: jobs, minutes. ARGV: consumer, version.
local minute = math.floor(redis.call('TIME')[1] / 60)
redis.pcall('HSET', KEYS[2], minute .. ':depth', redis.call('XLEN', KEYS[1]))
redis.pcall('HSET', KEYS[2], 'version:' .. ARGV[1], ARGV[2])
redis.pcall('EXPIRE', KEYS[2], 27 * 3600)
