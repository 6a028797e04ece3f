-- Renew the lease of entries that are still this consumer's: idle time back to 0, delivery count untouched.
-- A plain XCLAIM would steal an entry back from its new owner. KEYS: jobs. ARGV: group, consumer, ids...
-- Returns the ids that are another's by now (LOST).
local lost = {}
for i = 3, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if #pending == 0 then
    lost[#lost + 1] = ARGV[i]
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return lost
