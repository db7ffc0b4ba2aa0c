#!lua
-- Hand the next posts to a poster. The keys are those of common.lua.
--
-- ARGV  1 lease (ms), 2… one new lease token for each post wanted; without any, only time is followed
-- Returns the posts as JSON.

sweep()
local leased = {}
for i = 2, #ARGV do
  local id = redis.call('ZRANGE', READY, 0, 0)[1]
  if not id then
    break
  end
  local post = load(id)
  local entry = entry_of(post.key)
  drop(entry.queued, id)
  table.insert(entry.sending, id)
  keep(post.key, entry)
  post.lease, post.lease_until, post.attempts = ARGV[i], now + tonumber(ARGV[1]), post.attempts + 1
  move(post, 'sending')
  leased[#leased + 1] = redis.call('HGET', POSTS, id)
end
return leased
