-- Read entries again. KEYS: jobs. ARGV: ids...
-- Returns the field `job` of each, or false when the entry is gone or has none.
local payloads = {}
for i = 1, #ARGV do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  local fields = entry and entry[2] or {}
  payloads[i] = false
  for f = 1, #fields, 2 do
    if fields[f] == 'job' then payloads[i] = fields[f + 1] end
  end
end
return payloads
