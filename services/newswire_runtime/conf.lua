#!lua
-- Write or remove one configured thing and raise its table's generation.
--
-- KEYS  1 table (hash of name to JSON), 2 generations (hash of table to number)
-- ARGV  1 table's name, 2 thing's name, 3 JSON ('' removes), 4 JSON expected before ('*' for any, '' for none)
-- Returns 1 written over or removed, 2 made new, 0 nothing to remove, -1 changed meanwhile.
local old = redis.call('HGET', KEYS[1], ARGV[2])
if ARGV[4] ~= '*' and (old or '') ~= ARGV[4] then
  return -1
end
local result = old and 1 or 2
if ARGV[3] == '' then
  if not old then
    return 0
  end
  redis.call('HDEL', KEYS[1], ARGV[2])
else
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
end
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
return result
