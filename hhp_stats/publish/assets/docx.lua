-- The numbered book for a word processor: real headings, tables, captions and links, for people who comment on a draft.
-- The result is the chapter's tree, for document.py to join with the others and to write as one file.

local stringify = pandoc.utils.stringify
local words = {}
local tables = {} -- HTML of tables that were set aside, by name

local function has(el, class) return el.classes and el.classes:includes(class) end

local function styled(blocks, style, id)
  return pandoc.Div(blocks, pandoc.Attr(id or "", {}, { ["custom-style"] = style }))
end

local function as_paragraphs(blocks)
  return pandoc.Blocks(blocks):walk({ Plain = function(el) return pandoc.Para(el.content) end })
end

local function header(el)
  local number = el.attributes.number
  el.attributes = {}
  el.classes = {}
  if number then
    local before = number
    if el.level == 1 then before = words[number:match("^%a") and "appendix" or "chapter"] .. "\u{a0}" .. number .. "." end
    el.content:insert(1, pandoc.Space())
    el.content:insert(1, pandoc.Str(before))
  end
  return el
end

-- Notes of a table follow it, in the type of captions.
local function from_html(html)
  local blocks, notes = pandoc.read(html, "html").blocks, pandoc.List()
  for _, block in ipairs(blocks) do
    if block.t == "Table" then
      for _, row in ipairs(block.foot.rows) do
        for _, cell in ipairs(row.cells) do
          if #cell.contents > 0 then notes:insert(styled(as_paragraphs(cell.contents), "Table Note")) end
        end
      end
      block.foot = pandoc.TableFoot({})
    end
  end
  blocks:extend(notes)
  return blocks
end

local function float(el)
  local kind, number = el.attributes.kind, el.attributes.number
  local caption = pandoc.Inlines(el.content[2].content[1].content:clone())
  if number then
    caption:insert(1, pandoc.Space())
    caption:insert(1, pandoc.Strong({ pandoc.Str(words[kind == "fig" and "figure" or "table"] .. "\u{a0}" .. number .. ".") }))
  end
  -- The place that references lead to stands in the caption.
  if el.identifier ~= "" then caption = pandoc.Inlines({ pandoc.Span(caption, pandoc.Attr(el.identifier)) }) end
  local line = styled({ pandoc.Para(caption) }, kind == "fig" and "Image Caption" or "Caption")
  local out = pandoc.Blocks({})
  if kind == "tbl" then out:insert(line) end
  if kind == "fig" then
    out:insert(styled(el.content[1].content, "Captioned Figure")) -- stays with its caption
    out:insert(line)
  else
    out:extend(el.content[1].content)
  end
  return out
end

local function div(el)
  if el.attributes["custom-style"] then return nil end -- notes of tables
  if has(el, "float") then return float(el) end
  if has(el, "callout") then
    local title = pandoc.Para({ pandoc.Strong(el.content[1].content[1].content) })
    if el.identifier ~= "" then title = pandoc.Para({ pandoc.Span(title.content, pandoc.Attr(el.identifier)) }) end
    local body = pandoc.Blocks({ title })
    body:extend(el.content[2].content)
    return pandoc.BlockQuote(body)
  end
  if has(el, "tabset") then
    local out = pandoc.Blocks({})
    for _, tab in ipairs(el.content) do
      out:insert(pandoc.Para({ pandoc.Strong(tab.content[1].content[1].content) }))
      for at = 2, #tab.content do out:insert(tab.content[at]) end
    end
    return out
  end
  if has(el, "pagebreak") then return {} end
  if has(el, "book-chapter") then return el.content end
  el.classes, el.attributes = {}, {}
  return el
end

-- Every column is as wide as its longest word; what is left of the line they share by the length of their fullest cell. Cells
-- have a type of their own, heads and the names of groups of rows are bold, numbers stand to the right as on the pages.
-- Characters: of a line of the page, of the longest word and the fullest cell that are counted, between two columns.
local LINE, WORD, MOST, EDGES = 105, 34, 60, 3

local function widths(words, wishes)
  local least, more, wide = 0, 0, {}
  for at, word in ipairs(words) do
    least = least + word
    more = more + wishes[at] - word
  end
  local share = more > 0 and math.max(0, LINE - least) / more or 0
  local total = 0
  for at, word in ipairs(words) do
    wide[at] = word + math.min(1, share) * (wishes[at] - word)
    total = total + wide[at]
  end
  for at, width in ipairs(wide) do wide[at] = width / total end
  return wide
end

local function laid_out(tbl)
  local words_of, wishes, covered = {}, {}, {} -- covered: for how many rows a cell above reaches into this column
  for at = 1, #tbl.colspecs do words_of[at], wishes[at] = EDGES + 1, EDGES + 1 end
  local function measure(row, head)
    local at = 1
    local style = (head or has(row, "gt_group_heading_row")) and "Table Head" or "Table Cell"
    for _, cell in ipairs(row.cells) do
      while (covered[at] or 0) > 0 do
        covered[at] = covered[at] - 1
        at = at + 1
      end
      for column = at, at + cell.col_span - 1 do covered[column] = cell.row_span - 1 end
      if cell.col_span == 1 then
        local text = stringify(cell.contents)
        wishes[at] = math.max(wishes[at], math.min(utf8.len(text) or 0, MOST) + EDGES)
        for word in text:gmatch("[^ -]+") do words_of[at] = math.max(words_of[at], math.min(utf8.len(word) or 0, WORD) + EDGES) end
        wishes[at] = math.max(wishes[at], words_of[at])
      end
      at = at + cell.col_span
      if has(cell, "gt_right") then cell.alignment = "AlignRight" end
      if has(cell, "gt_center") or has(cell, "gt_column_spanner_outer") then cell.alignment = "AlignCenter" end
      -- An empty cell would have a line of the text's own size.
      if #cell.contents == 0 then cell.contents = { pandoc.Para({ pandoc.Str("\u{a0}") }) } end
      cell.contents = { styled(as_paragraphs(cell.contents), style) }
    end
    for column = at, #tbl.colspecs do covered[column] = math.max(0, (covered[column] or 0) - 1) end
    return row
  end
  local function all(rows, head) for at, row in ipairs(rows) do rows[at] = measure(row, head) end return rows end
  local head = tbl.head
  head.rows = all(head.rows, true)
  tbl.head = head
  local bodies = tbl.bodies
  for _, body in ipairs(bodies) do
    body.head = all(body.head, true)
    body.body = all(body.body)
  end
  tbl.bodies = bodies
  local specs, shares = pandoc.List(), widths(words_of, wishes)
  for at, spec in ipairs(tbl.colspecs) do specs:insert({ spec[1], shares[at] }) end
  tbl.colspecs = specs
  return tbl
end

local inline = {
  Span = function(el)
    if has(el, "equation") then
      return { pandoc.Span(el.content, pandoc.Attr(el.identifier)), pandoc.Str("\u{a0}(" .. el.attributes.number .. ")") }
    end
    if el.identifier == "" then return el.content end
    el.classes, el.attributes = {}, {}
    return el
  end,
  -- Word processors differ in what they make of SVG: document.py writes pictures as PNG.
  Image = function(el)
    local kept = { width = el.attributes.width, height = el.attributes.height }
    el.attributes, el.classes = kept, {}
    el.src = el.src:gsub("%.svg$", ".png")
    return el
  end,
}

function Pandoc(doc)
  local book = pandoc.json.decode(stringify(doc.meta.book), false)
  words, tables = book.words, book.tables
  doc = doc:walk(inline)
  doc = doc:walk({
    Header = header,
    RawBlock = function(el)
      local name = el.format == "html" and el.text:match(' data%-kept="(%d+)"')
      if name then return from_html(tables[name]) end
    end,
  })
  doc = doc:walk({ Div = div })
  doc = doc:walk({ Table = laid_out })
  doc.meta = {}
  return doc
end
