-- "p = .03" and "p < .001" are read as one word: no line may end within them.

local SIGN = { ["="] = true, ["<"] = true, [">"] = true }

local function blank(el) return el and (el.t == "Space" or el.t == "SoftBreak") end

-- The sign at the beginning of a word or of a marked number.
local function sign(el)
  if not el then return false end
  if el.t == "Str" then return SIGN[el.text] or false end
  return el.t == "Span" and #el.content > 0 and sign(el.content[1])
end

local NO_BREAK = "\u{a0}"

return function(inlines)
  local changed = false
  for at = 1, #inlines - 2 do
    local el = inlines[at]
    if el.t == "Str" and el.text:match("^[%(%[]?p$") and blank(inlines[at + 1]) and sign(inlines[at + 2]) then
      inlines[at + 1], changed = pandoc.Str(NO_BREAK), true
      if blank(inlines[at + 3]) then inlines[at + 3] = pandoc.Str(NO_BREAK) end
    elseif el.t == "Str" and SIGN[el.text] and at == 1 and blank(inlines[2]) then
      inlines[2], changed = pandoc.Str(NO_BREAK), true
    end
  end
  if changed then return inlines end
end
