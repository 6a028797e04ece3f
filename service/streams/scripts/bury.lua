-- Move one entry to the dead letters, whole: XADD first, so that a refusal (memory, wrong type) leaves it pending.
-- KEYS: jobs, dead, stats, minutes. ARGV: group, consumer, id, then pairs of names and values that say why.
-- Returns the id of the dead letter, or false when the entry is another's by now.
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1, ARGV[2])
if #pending == 0 then return false end
local time = redis.call('TIME')
local letter = {'source_id', ARGV[3], 'deliveries', tostring(pending[1][4]), 'dead_ms',
  string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))}
local reason = 'unknown'
for i = 4, #ARGV do letter[#letter + 1] = ARGV[i] end
for i = 4, #ARGV, 2 do if ARGV[i] == 'reason' then reason = ARGV[i + 1] end end
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
local fields = entry and entry[2] or {}
local known = {job = true, traceparent = true, tracestate = true}
if #fields > 1000 then
  letter[#letter + 1] = 'raw_msgpack'
  letter[#letter + 1] = cmsgpack.pack(fields)
else
  for i = 1, #fields, 2 do
    local name = fields[i]
    if not known[name] then name = 'raw:' .. name end
    letter[#letter + 1] = name
    letter[#letter + 1] = fields[i + 1]
  end
end
local id = redis.call('XADD', KEYS[2], '*', unpack(letter))
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
redis.call('XDEL', KEYS[1], ARGV[3])
redis.call('HINCRBY', KEYS[3], 'failed', 1)
count_minute(KEYS[4], 'dead', 1)
count_minute(KEYS[4], 'dead:' .. reason, 1)
return id
