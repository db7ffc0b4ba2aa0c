#!lua
-- Read what one document of a feed shows, all of one moment.
--
-- KEYS  1 items, 2 recent, 3 changes, 4 gone, 5 tombstones, 6 ranks, 7 state, 8 marks
-- ARGV  1 what is asked:
--         'published', limit            the newest articles, and the newest tombstones
--         'updated', limit              the same, by their newest versions
--         'since', generation, limit    what came, changed or left after a generation
--         'page', from (ms, exclusive), to (ms, inclusive), limit   a part of the archive
-- Returns {'generation modified(s) newest trimmed more', articles: 'key published moment rank' in lines,
--          tombstones: JSON in lines}; more is 1 if there is something left after the limit. Lines, since a
--          client reads one string in a hundredth of the time that it takes for the same in two hundred.

local what = ARGV[1]
local keys, gone, more = {}, {}, 0
if what == 'published' or what == 'updated' then
  local limit = tonumber(ARGV[2])
  keys = redis.call('ZREVRANGE', what == 'published' and KEYS[1] or KEYS[2], 0, limit - 1)
  gone = redis.call('ZREVRANGE', KEYS[4], 0, limit - 1)
  more = redis.call('ZCARD', KEYS[1]) > limit and 1 or 0
elseif what == 'since' then
  local limit = tonumber(ARGV[3])
  local changed = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[2], '+inf', 'LIMIT', 0, limit + 1)
  if #changed > limit then
    more = 1
  else
    for _, key in ipairs(changed) do
      if redis.call('ZSCORE', KEYS[1], key) then
        keys[#keys + 1] = key
      elseif redis.call('ZSCORE', KEYS[4], key) then
        gone[#gone + 1] = key
      end
    end
  end
else
  keys = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[3], '(' .. ARGV[2], 'LIMIT', 0, ARGV[4])
end

local items = {}
if #keys > 0 then
  local published = redis.call('ZMSCORE', KEYS[1], unpack(keys))
  local moments = redis.call('ZMSCORE', KEYS[2], unpack(keys))
  local ranks = redis.call('HMGET', KEYS[6], unpack(keys))
  for i, key in ipairs(keys) do
    -- An article that came under a release that kept no moments has its first.
    items[i] = key .. ' ' .. published[i] .. ' ' .. (moments[i] or published[i]) .. ' ' .. ranks[i]
  end
end
local told = {}
if #gone > 0 then
  for _, tombstone in ipairs(redis.call('HMGET', KEYS[5], unpack(gone))) do
    if tombstone then
      told[#told + 1] = tombstone
    end
  end
end
local state = redis.call('HMGET', KEYS[7], 'generation', 'modified', 'newest', 'trimmed')
local numbers = { state[1] or '0', state[2] or '0', state[3] or '0', state[4] or '0', more }
return { table.concat(numbers, ' '), table.concat(items, '\n'), table.concat(told, '\n') }
