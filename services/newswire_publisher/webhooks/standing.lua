#!lua flags=no-writes
-- How subscriptions of one partition stand, for those who look at many.
--
-- KEYS  1 turns
-- ARGV  the subscriptions' ids
-- Returns a line for each: the fields of its state, how many are in its lanes, and its newest entry of attempts, if any:
--         SEQUENCE CURSOR PARKED HELD PAUSE FAILING HALF OPEN AHEAD KILLS EXPRESS RETRY REPLAYING FAILED [ID RECORDS]
local prefix = string.sub(KEYS[1], 1, -6)
local LANES = { 'kills', 'express', 'retry', 'replaying', 'failed' }

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
  local row = redis.call('XREVRANGE', own .. 'attempts', '+', '-', 'COUNT', 1)[1]
  if row then
    words[#words + 1] = row[1]
    words[#words + 1] = row[2][2]
  end
  lines[place] = table.concat(words, ' ')
end
return lines
