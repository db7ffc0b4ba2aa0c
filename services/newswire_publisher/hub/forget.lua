-- Drop all that is kept of a subscription.
local function forget(id, subscribers, ends, due, again, leased, state)
  redis.call('HDEL', subscribers, id)
  redis.call('ZREM', ends, id)
  redis.call('ZREM', due, id)
  redis.call('ZREM', again, id)
  redis.call('ZREM', leased, id)
  redis.call('HDEL', state, 'g:' .. id, 'd:' .. id, 'a:' .. id, 'l:' .. id, 'o:' .. id)
end
