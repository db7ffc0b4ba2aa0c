-- Set when a worker is to look at a subscription again: at its first push that waits, unless
-- `full`, and not before `pause`; and when a lease ends. Returns that moment (ms), or nil for never.
local function set_turn(turns, subscription, waiting, leased, pause, full)
  local turn = math.huge
  local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  if first[2] and not full then
    turn = math.max(tonumber(first[2]), pause)
  end
  local lease = redis.call('ZRANGE', leased, 0, 0, 'WITHSCORES')
  if lease[2] then
    turn = math.min(turn, tonumber(lease[2]))
  end
  if turn == math.huge then
    redis.call('ZREM', turns, subscription)
    return nil
  end
  redis.call('ZADD', turns, turn, subscription)
  return turn
end
