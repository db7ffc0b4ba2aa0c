#!lua flags=no-writes
-- How subscriptions of one partition stand, for those who look at many.
--
-- KEYS  1 turns
-- ARGV  the subscriptions' ids
-- Returns a line for each: the fields of its state, how many are in its lanes, and its newest attempt, if any, without
--         what was answered: the entry of the stream, its place there, the record (queue.lua)
--         SEQUENCE CURSOR PARKED HELD PAUSE FAILING HALF OPEN AHEAD KILLS EXPRESS RETRY REPLAYING FAILED REPLAYS [ID PLACE RECORD]
local prefix = string.sub(KEYS[1], 1, -6)
local LANES = { 'kills', 'express', 'retry', 'replaying', 'failed' }

local LONG = 512

-- The last of an entry's records, and its place.
local function newest(records)
  local place, start = 0, 1
  for at in string.gmatch(records, '()\n') do
    place, start = place + 1, at + 1
  end
  local record = string.sub(records, start)
  if #record > LONG then
    local told = cjson.decode(record)
    told.response, told.deflated, told.headers = nil, nil, nil
    record = cjson.encode(told)
  end
  return place, record
end

-- How many entries the ranges that are replayed still have.
local function rest_of_replays(own)
  local rest = 0
  for _, range in ipairs(redis.call('LRANGE', own .. 'replays', 0, -1)) do
    local first, last, which = string.match(range, '^(%d+) (%d+) (%S+)$')
    rest = rest + (which == 'failed' and redis.call('ZCOUNT', own .. 'failed', first, last) or math.max(0, last - first + 1))
  end
  return rest
end

local lines = {}
for place, id in ipairs(ARGV) do
  local own = prefix .. id .. ':'
  local words = redis.call('HMGET', own .. 'state', 'sequence', 'cursor', 'parked', 'held', 'pause', 'failing', 'half', 'open')
  for at = 1, #words do
    words[at] = words[at] or '0'
  end
  words[#words + 1] = redis.call('SCARD', own .. 'ahead')
  for _, lane in ipairs(LANES) do
    words[#words + 1] = redis.call('ZCARD', own .. lane)
  end
  words[#words + 1] = string.format('%.0f', rest_of_replays(own))
  local row = redis.call('XREVRANGE', own .. 'attempts', '+', '-', 'COUNT', 1)[1]
  if row then
    local place_in_row, record = newest(row[2][2])
    words[#words + 1] = row[1]
    words[#words + 1] = place_in_row
    words[#words + 1] = record
  end
  lines[place] = table.concat(words, ' ')
end
return lines
