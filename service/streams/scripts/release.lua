-- Give entries back that are still this consumer's: set their idle time, so that a sweep takes them after
-- (lease - idle) milliseconds, and their delivery count, so that a release need not count as an attempt.
-- KEYS: jobs. ARGV: group, consumer, idle ms, deliveries to take back (0 or 1), ids...
-- Returns how many were released.
local released = 0
for i = 5, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if #pending > 0 then
    local count = math.max(0, pending[1][4] - tonumber(ARGV[4]))
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'IDLE', ARGV[3], 'RETRYCOUNT', count, 'JUSTID')
    released = released + 1
  end
end
return released
