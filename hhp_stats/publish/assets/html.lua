-- A numbered chapter as a page of the site: one HTML fragment and one list of headings.
-- The result is a single raw block of JSON, {title, plain, number, id, headings, body}.

local stringify = pandoc.utils.stringify
local words = {}
local page_of = {}  -- id -> slug
local problems = {}
local current       -- slug and file of the chapter being written

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function has(el, class) return el.classes and el.classes:includes(class) end

local function raw(text) return pandoc.RawBlock("html", text) end

local function write(blocks)
  return pandoc.write(pandoc.Pandoc(blocks), "html5", PANDOC_WRITER_OPTIONS)
end

-- Plain words need no writer, and most headings and captions are: calling it takes a millisecond. Nil for others, and
-- for words with signs that the writer has a way of its own with.
local function plain_words(inlines)
  local parts = {}
  for _, el in ipairs(inlines) do
    local tag = el.t
    if tag == "Str" then
      local text = el.text
      if text:find("[&<>\"'\u{a0}]") then return nil end
      table.insert(parts, text)
    elseif tag == "Space" or tag == "SoftBreak" then
      table.insert(parts, " ")
    elseif tag == "RawInline" and el.format == "html" then
      table.insert(parts, el.text)
    else
      return nil
    end
  end
  return table.concat(parts)
end

local function write_inlines(inlines)
  return plain_words(inlines) or (write({ pandoc.Plain(inlines) }):gsub("%s+$", ""))
end

local function attributes(el, class)
  local id = el.identifier ~= "" and ' id="' .. escape(el.identifier) .. '"' or ""
  return id .. ' class="' .. class .. '"'
end

local headings

local function header(el)
  if el.level == 1 and headings.title == nil then
    headings.title = write_inlines(el.content)
    headings.plain = stringify(el.content)
    headings.number = el.attributes.number
    headings.id = el.identifier
    return {}
  end
  local number = el.attributes.number
  local title = write_inlines(el.content)
  headings.list:insert({ id = el.identifier, level = el.level, number = number or "", title = title, plain = stringify(el.content) })
  local label = number and '<span class="number">' .. number .. "</span> " or ""
  -- The link is for pointers alone: a heading is read out, and tabbed past, without it; the page's own contents lead there too.
  local anchor = '<a class="anchor" href="#' .. escape(el.identifier) .. '" tabindex="-1" aria-hidden="true" title="'
    .. escape(words.anchor .. " " .. (number and number .. " " or "") .. stringify(el.content)) .. '"></a>'
  local tag = "h" .. el.level
  return raw("<" .. tag .. attributes(el, "heading") .. ">" .. label .. "<span>" .. title .. "</span> " .. anchor .. "</" .. tag .. ">")
end

-- Tables scroll in a region of their own; the script makes it focusable when it does scroll.
local function scrolling(block)
  return { raw('<div class="table-scroll">'), block, raw("</div>") }
end

local function float(el)
  local kind, number = el.attributes.kind, el.attributes.number
  local body, caption = el.content[1].content, el.content[2].content[1].content
  local label = ""
  if number then
    label = '<span class="float-label">' .. words[kind == "fig" and "figure" or "table"] .. "&nbsp;" .. number .. "</span> "
  end
  local figcaption = {}
  if number or #caption > 0 then
    figcaption = { raw("<figcaption>" .. label .. write_inlines(caption) .. "</figcaption>") }
  end
  local data = ""
  for _, name in ipairs({ "data-presenter", "data-results" }) do
    if el.attributes[name] then data = data .. " " .. name .. '="' .. escape(el.attributes[name]) .. '"' end
  end
  local out = pandoc.Blocks({ raw("<figure" .. attributes(el, "float " .. kind) .. data .. ">") })
  if kind == "tbl" then out:extend(figcaption) end
  out:extend(body)
  if kind == "fig" then out:extend(figcaption) end
  out:insert(raw("</figure>"))
  return out
end

local function callout(el)
  local kind, collapse = el.attributes.kind, el.attributes.collapse
  local title, body = el.content[1].content[1].content, el.content[2].content
  local out = pandoc.Blocks({})
  local class = "callout callout-" .. kind
  if collapse then
    out:insert(raw("<details" .. attributes(el, class) .. (collapse == "false" and " open" or "") .. "><summary>" .. write_inlines(title) .. "</summary>"))
  else
    out:insert(raw("<div" .. attributes(el, class) .. '><p class="callout-title">' .. write_inlines(title) .. "</p>"))
  end
  out:insert(raw('<div class="callout-body">'))
  out:extend(body)
  out:insert(raw("</div>" .. (collapse and "</details>" or "</div>")))
  return out
end

local function tabset(el)
  local out = pandoc.Blocks({ raw("<div" .. attributes(el, "tabset") .. ">") })
  for _, tab in ipairs(el.content) do
    out:insert(raw('<section class="tab"><p class="tab-title">' .. write_inlines(tab.content[1].content[1].content) .. "</p>"))
    for at = 2, #tab.content do out:insert(tab.content[at]) end
    out:insert(raw("</section>"))
  end
  out:insert(raw("</div>"))
  return out
end

local function div(el)
  if has(el, "float") then return float(el) end
  if has(el, "callout") then return callout(el) end
  if has(el, "tabset") then return tabset(el) end
  if has(el, "pagebreak") then return {} end
  if has(el, "code-fold") then
    local out = pandoc.Blocks({ raw('<details class="code-fold"><summary>' .. escape(el.attributes.summary) .. "</summary>") })
    out:extend(el.content)
    out:insert(raw("</details>"))
    return out
  end
  if el.attributes["layout-ncol"] then
    local out = pandoc.Blocks({ raw('<div class="layout" style="--columns: ' .. math.floor(tonumber(el.attributes["layout-ncol"]) or 2) .. '">') })
    for _, block in ipairs(el.content) do
      out:insert(raw("<div>"))
      out:insert(block)
      out:insert(raw("</div>"))
    end
    out:insert(raw("</div>"))
    return out
  end
end

local TELEPHONE = 400 -- pixels: a picture so wide keeps letters that can be read when it shrinks to a telephone
local LONG_FORMULA = 40 -- characters of TeX in a line of text that may be wider than a telephone

-- Bottom-up, so that whatever is written to text already holds finished inlines.
local inline = {
  Image = function(el)
    local dark = el.attributes.dark
    local size = ""
    local share = (el.attributes.width or ""):match("^%d+%%$")
    if share then size = ' style="width: ' .. share .. '"' end
    for _, side in ipairs({ "width", "height" }) do
      if not share and el.attributes[side] then size = size .. " " .. side .. '="' .. escape(el.attributes[side]) .. '"' end
    end
    local alt = ' alt="' .. escape(stringify(el.caption)) .. '"'
    -- What is as wide as a telephone, or has a drawing for one, fits any window; others scroll.
    local phone = el.attributes.phone
    local fits = (phone or (tonumber(el.attributes.width) or TELEPHONE + 1) <= TELEPHONE) and " fits" or ""
    local function picture(src, telephone, theme, said)
      local class = (theme .. fits):match("^ *(.*)$")
      -- Loaded when a reader comes near; the sides in the page keep the text in its place.
      local image = '<img src="' .. escape(src) .. '"' .. said .. size .. (class ~= "" and ' class="' .. class .. '"' or "") .. ' loading="lazy">'
      if not telephone then return image end
      local sides = ""
      for _, side in ipairs({ "width", "height" }) do
        local given = el.attributes["phone-" .. side]
        if given then sides = sides .. " " .. side .. '="' .. escape(given) .. '"' end
      end
      return '<picture><source media="(max-width: 40rem)" srcset="' .. escape(telephone) .. '"' .. sides .. ">" .. image .. "</picture>"
    end
    if not dark then return pandoc.RawInline("html", picture(el.src, phone, "", alt)) end
    -- The twin is shown by a script alone, which gives it the words of the first (page.js): they are half of a figure's page.
    return pandoc.RawInline("html", picture(el.src, phone, "on-light", alt) .. picture(dark, phone and el.attributes["phone-dark"], "on-dark", ' alt=""'))
  end,
  -- A long formula scrolls in a region of its own, as tables do.
  Math = function(el)
    if el.mathtype == "DisplayMath" then
      return { pandoc.RawInline("html", '<span class="math-scroll">'), el, pandoc.RawInline("html", "</span>") }
    end
    if #el.text > LONG_FORMULA then
      return { pandoc.RawInline("html", '<span class="math-scroll inline">'), el, pandoc.RawInline("html", "</span>") }
    end
  end,
  Link = function(el)
    local id = el.target:match("^#(.+)$")
    if id then
      local slug = page_of[id]
      if not slug then
        table.insert(problems, table.concat({ "HHP", current.file, el.target, "the link to '" .. el.target .. "' has no target in the book" }, "\t"))
      elseif slug ~= current.slug then
        el.target = slug .. ".html#" .. id
      end
      return el
    end
  end,
  Span = function(el)
    if has(el, "equation") then
      local out = pandoc.Inlines({ pandoc.RawInline("html", '<span' .. attributes(el, "equation") .. ">") })
      out:extend(el.content)
      out:insert(pandoc.RawInline("html", '<span class="equation-number">(' .. el.attributes.number .. ")</span></span>"))
      return out
    end
  end,
}

---------------------------------------------------------------- words to look up

local glossary = {}  -- first word -> list of {words of the form, slug, explanation}, longest first
local forms_of = {}   -- slug -> its forms in small letters

local function read_glossary(terms)
  for _, term in ipairs(terms) do
    for _, form in ipairs(term.forms) do
      local parts = {}
      for part in pandoc.text.lower(form):gmatch("%S+") do table.insert(parts, part) end
      forms_of[term.slug] = forms_of[term.slug] or {}
      table.insert(forms_of[term.slug], table.concat(parts, " "))
      glossary[parts[1]] = glossary[parts[1]] or {}
      table.insert(glossary[parts[1]], { parts = parts, slug = term.slug, words = term.words })
    end
  end
  for _, forms in pairs(glossary) do
    table.sort(forms, function(a, b)
      if #a.parts ~= #b.parts then return #a.parts > #b.parts end
      return table.concat(a.parts, " ") < table.concat(b.parts, " ")
    end)
  end
end

local function bare(text)
  local before, middle, after = text:match("^([%(]*)(.-)([%.,;:%)!?]*)$")
  return before, middle, after
end

-- Does the form stand at this place? The place where it ends, and the punctuation around it.
local function form_at(inlines, at, parts)
  local place, opening, closing = at, "", ""
  for number, part in ipairs(parts) do
    local el = inlines[place]
    if not el or el.t ~= "Str" then return nil end
    local before, middle, after = bare(el.text)
    if (number > 1 and before ~= "") or (number < #parts and after ~= "") then return nil end
    if pandoc.text.lower(middle) ~= part then return nil end
    if number == 1 then opening = before end
    closing = after
    if number < #parts then
      local gap = inlines[place + 1]
      if not gap or (gap.t ~= "Space" and gap.t ~= "SoftBreak") then return nil end
      place = place + 2
    end
  end
  return place, opening, closing
end

-- May one of the words that were not met yet stand in these? To look at each takes Pandoc much longer.
local function mentions(inlines, seen)
  local text = pandoc.text.lower(stringify(inlines))
  for slug, forms in pairs(forms_of) do
    if not seen[slug] then
      for _, form in ipairs(forms) do
        if text:find(form, 1, true) then return true end
      end
    end
  end
  return false
end

local function with_terms(inlines, seen)
  local out, at = pandoc.Inlines({}), 1
  local any = false
  while at <= #inlines do
    local el, found = inlines[at], nil
    if el.t == "Str" then
      local _, middle = bare(el.text)
      for _, form in ipairs(glossary[pandoc.text.lower(middle)] or {}) do
        if not seen[form.slug] then
          local stop, opening, closing = form_at(inlines, at, form.parts)
          if stop then
            seen[form.slug] = true
            any, found = true, stop
            local words = pandoc.Inlines({})
            for place = at, stop do words:insert(inlines[place]) end
            local text = stringify(words)
            text = text:sub(#opening + 1, #text - #closing)
            if opening ~= "" then out:insert(pandoc.Str(opening)) end
            out:insert(pandoc.RawInline("html", '<span class="term" data-term="' .. escape(form.slug) .. '" title="' .. escape(form.words) .. '">' .. escape(text) .. "</span>"))
            if closing ~= "" then out:insert(pandoc.Str(closing)) end
            break
          end
        end
      end
    end
    if found then at = found + 1 else out:insert(el) at = at + 1 end
  end
  return any and out or nil
end

-- The first mention in the running text of a chapter; headings, captions and tables stay as they are.
local function mark_terms(content)
  local seen = {}
  local function paragraph(el)
    local content = el.content
    local marked = mentions(content, seen) and with_terms(content, seen)
    if not marked then return nil, false end
    el.content = marked
    return el, false
  end
  return content:walk({
    traverse = "topdown",
    Para = paragraph,
    Plain = paragraph,
    Header = function(el) return el, false end,
    Table = function(el) return el, false end,
    Div = function(el)
      if has(el, "float") or has(el, "box-title") or has(el, "tab-title") or el.identifier == "refs" then return el, false end
    end,
  })
end

local blocks = {
  Header = header,
  Div = div,
  Table = scrolling,
  RawBlock = function(el)
    if el.text:match("^<table") then return { raw('<div class="table-scroll">' .. el.text .. "</div>") } end
  end,
}

function Pandoc(doc)
  local book = pandoc.json.decode(stringify(doc.meta.book), false)
  words, page_of = book.words, book.register.pages
  read_glossary(book.glossary)
  local chapter = doc.blocks[1]
  current = { slug = chapter.attributes.slug, file = chapter.attributes.file }
  headings = { list = pandoc.List() }
  local content = mark_terms(pandoc.Blocks(chapter.content):walk(inline))
  -- Notes must be written with their chapter, so blocks are finished before, in reading order.
  content = content:walk(blocks)
  local page = {
    title = headings.title, plain = headings.plain, number = headings.number or "", id = headings.id,
    headings = headings.list, body = write(content),
  }
  if #problems > 0 then error(table.concat(problems, "\n"), 0) end
  return pandoc.Pandoc({ raw(pandoc.json.encode(page)) })
end
