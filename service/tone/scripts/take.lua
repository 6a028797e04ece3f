-- Take one call of the minute and reserve its tokens of the day, or say which of the two is spent.
-- KEYS: calls of the last minute (sorted set by time), tokens of the day (string)
-- ARGV: calls a minute, window in ms, tokens to reserve, tokens a day (0: no ceiling), a member nobody else uses
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
  return 'budget'
end
local ceiling = tonumber(ARGV[4])
if ceiling > 0 then
  if tonumber(redis.call('GET', KEYS[2]) or 0) + ARGV[3] > ceiling then
    return 'ceiling'
  end
  redis.call('SET', KEYS[2], 0, 'EX', 86400, 'NX')
  redis.call('INCRBY', KEYS[2], ARGV[3])
end
redis.call('ZADD', KEYS[1], now, ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'taken'
