-- Return the newest dead letters as XREVRANGE does, less the payload and whatever else a producer sent.
-- KEYS: dead. ARGV: how many.
local known = {source_id = true, deliveries = true, dead_ms = true, reason = true, detail = true, user_id = true,
  job_id = true, ['raw:history'] = true}
local letters = {}
for _, letter in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[1])) do
  local pairs_ = {}
  for i = 1, #letter[2], 2 do
    if known[letter[2][i]] then
      pairs_[#pairs_ + 1] = letter[2][i]
      pairs_[#pairs_ + 1] = letter[2][i + 1]
    end
  end
  letters[#letters + 1] = {letter[1], pairs_}
end
return letters
