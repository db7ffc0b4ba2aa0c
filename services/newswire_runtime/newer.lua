-- Whether a version's rank ('version:ms') is above another's: the number first, then the time.
local function newer(rank, than)
  local version, ms = string.match(rank, '^(%d+):(-?%d+)$')
  local old_version, old_ms = string.match(than, '^(%d+):(-?%d+)$')
  version, ms = tonumber(version), tonumber(ms)
  old_version, old_ms = tonumber(old_version), tonumber(old_ms)
  return version > old_version or (version == old_version and ms > old_ms)
end
