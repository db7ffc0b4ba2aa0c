#!lua
-- What the desk does with one post. The keys are those of common.lua.
--
-- ARGV  1 'cancel' or 'resend', 2 post's id
-- Returns {1, state} if it is done, {0} without such a post, {2, state} if the state forbids it,
-- {3, state} if a newer version of the article has come.

sweep()
local verb, id = ARGV[1], ARGV[2]
local post = load(id)
if not post then
  return { 0 }
end
local entry = entry_of(post.key)
if verb == 'cancel' then
  if post.state ~= 'queued' and post.state ~= 'held' then
    return { 2, post.state }
  end
  drop(entry.queued, id)
  if entry.held == id then
    entry.held = nil
  end
  post.not_before = nil
  move(post, 'cancelled')
else
  if post.state ~= 'failed' and post.state ~= 'cancelled' then
    return { 2, post.state }
  end
  if entry.rank ~= post.rank then
    return { 3, post.state }
  end
  if post.planned then
    queue(entry, post)
  elseif #entry.sending > 0 then
    hold(entry, post)
  else
    plan(entry, post)
  end
end
keep(post.key, entry)
return { 1, (load(id) or post).state }
