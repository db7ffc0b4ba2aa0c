#!lua
-- End a refill, unless another was asked for meanwhile.
--
-- KEYS  1 refills (hash of feed to the request), 2 the feed's lock
-- ARGV  1 feed, 2 the request that was done
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('DEL', KEYS[2])
return 1
