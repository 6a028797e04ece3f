-- Settle entries whose effect is durable: acknowledge and delete those that are still this consumer's.
-- KEYS: jobs, stats, minutes. ARGV: group, consumer, name of a counter, how many of the entries it counts, ids...
-- Returns the ids that are another's by now (LOST); for them nothing happens.
local lost, own = {}, {}
for i = 5, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if #pending == 0 then lost[#lost + 1] = ARGV[i] else own[#own + 1] = ARGV[i] end
end
for first = 1, #own, 1000 do
  local last = math.min(first + 999, #own)
  redis.call('XACK', KEYS[1], ARGV[1], unpack(own, first, last))
  redis.call('XDEL', KEYS[1], unpack(own, first, last))
end
if #own > 0 then
  redis.call('HINCRBY', KEYS[2], 'completed', #own)
  count_minute(KEYS[3], ARGV[3], #own)
  if tonumber(ARGV[4]) > 0 then redis.call('HINCRBY', KEYS[2], ARGV[3], ARGV[4]) end
end
return lost
