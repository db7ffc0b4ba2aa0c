-- The server's clock: `now`, in whole milliseconds since the epoch.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
