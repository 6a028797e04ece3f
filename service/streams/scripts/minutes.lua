-- Put before the scripts that count: adds to this minute's field `minute:name` of the history, at the server's time.
-- The first count of an hour drops what is older than 26 hours: looking through a full history takes 15 ms.
-- A history that cannot be written (another type of key, a right that is missing) must not hold up what is being
-- settled, hence pcall: its errors are values, and dropped.
local function count_minute(key, name, number)
  local minute = math.floor(redis.call('TIME')[1] / 60)
  if redis.pcall('HINCRBY', key, minute .. ':' .. name, number) ~= number then return end
  if redis.pcall('HINCRBY', key, minute - minute % 60 .. ':swept', 1) ~= 1 then return end
  redis.pcall('EXPIRE', key, 27 * 3600)
  local old = {}
  for _, field in ipairs(redis.pcall('HKEYS', key)) do
    if field ~= 'recent' and (tonumber(string.match(field, '^%d+')) or 0) <= minute - 1560 then old[#old + 1] = field end
  end
  for first = 1, #old, 1000 do
    redis.pcall('HDEL', key, unpack(old, first, math.min(first + 999, #old)))
  end
end
