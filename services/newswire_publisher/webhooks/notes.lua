-- What settle.lua writes down to be followed up, in the very step that it follows from: nobody can settle an attempt and die
-- before it is told. notes.py has the fields.

local notes = KEYS[3]

local function note(id, what, fields)
  fields.type, fields.webhook, fields.at_ms = what, id, now
  redis.call('XADD', notes, '*', 'event', cjson.encode(fields))
end

-- Why an attempt failed, as its record tells it.
local function cause_of(attempt)
  local record = cjson.decode(attempt.record)
  return { status = record.status, error = record.error, detail = record.detail }
end

-- Note that something became of an entry.
local function note_entry(id, what, out, attempt)
  local number = tonumber(out.number)
  note(id, what, {
    sequence = number, attempts = tonumber(out.attempts), entry = read(id, number), cause = cause_of(attempt) })
end

-- Note that an endpoint is to be disabled: once for a revision of its settings, as nothing else follows from the next.
local function note_end(id, what, attempt, since)
  local ending = redis.call('HGET', at(id, 'state'), 'ending')
  if not ending or tonumber(ending) < attempt.revision then
    redis.call('HSET', at(id, 'state'), 'ending', attempt.revision)
    note(id, what, { revision = attempt.revision, since_ms = since })
  end
end
