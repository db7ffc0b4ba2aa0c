#!lua
-- Accept one version of an article: remember it and hand it on, in one step.
--
-- KEYS  1 the article's desk (hash), 2 the stream of received articles
-- ARGV  1 revision of the desk that the decision was made on ('0' for none),
--       2 rank, 3 status, 4 digest, 5 owner, 6 article JSON, 7 event JSON
-- Returns 1, or 0 if another submission changed the desk meanwhile: decide again.
if (redis.call('HGET', KEYS[1], 'revision') or '0') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'revision', tonumber(ARGV[1]) + 1, 'rank', ARGV[2], 'status', ARGV[3],
  'digest', ARGV[4], 'owner', ARGV[5], 'article', ARGV[6])
redis.call('XADD', KEYS[2], '*', 'event', ARGV[7])
return 1
