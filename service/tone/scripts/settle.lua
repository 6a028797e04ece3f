-- Put the tokens a call really cost in the place of those reserved for it; a day that is over stays over.
-- KEYS: tokens of the day. ARGV: the difference
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('INCRBY', KEYS[1], ARGV[1])
end
return 0
