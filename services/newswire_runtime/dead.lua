#!lua
-- Take one dead letter out, and with 'replay' put its event back into the stream it came from.
--
-- KEYS  1 dead letters (stream), 2 the stream to put it back into
-- ARGV  1 entry id, 2 'replay' or 'drop'
-- Returns 1, or 0 if the letter is not there: it can be replayed once.
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then
  return 0
end
if ARGV[2] == 'replay' then
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'event' then
      redis.call('XADD', KEYS[2], '*', 'event', entry[2][i + 1])
    end
  end
end
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
