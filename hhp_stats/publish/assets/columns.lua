-- How wide is each column of a printed table, in which size of type is it set, and may it break over pages?
--
-- A table that fits its line column by column needs no answer: its columns are `auto`. Else the columns share the line
-- so that the table becomes as short as it can, and none becomes narrower than its longest word: words that do not fit
-- would print over the next column.

local stringify = pandoc.utils.stringify

local LINE = 453         -- points: the text width of the page
local SHORT = 14         -- columns with nothing longer keep their own width
local TALL = 800         -- characters of a cell that may need a page break within its row
local WHOLE = 240        -- points: a table of this height stays in one piece, a higher one may break between its rows
local PITCH, AROUND = 1.17, 0.75 -- ems from line to line, and of space around the lines of a row
local SPARE = 0.9        -- of the line: headings over several columns may be wider than these
local STEP = 0.5         -- ems given away at a time
local SAMPLE = 80        -- rows that are looked at, for the time it takes
local LONG_WORD = 20     -- characters; as in typst.lua
local SIZES = { 8.8, 8.2, 7.6, 7.0, 6.4 }
local MANY, MOST = 5, 8  -- more columns begin with the second and third size

-- Widths of the sans face in ems, on the safe side, by kind of character.
local function ems(text)
  local capitals = select(2, text:gsub("%u", ""))
  local wide = select(2, text:gsub("[mwMW@%%]", ""))
  local thin = select(2, text:gsub("[%.,:;'|!ijlt%(%)%[%]/ ]", ""))
  local all = utf8.len(text) or #text
  return 0.51 * (all - capitals - thin) + 0.6 * capitals + 0.3 * thin + 0.3 * wide
end

local function measured(cell)
  local text = stringify(pandoc.Blocks(cell.contents))
  local word = 0
  -- Lines may break at spaces, after slashes and, in long words, after underscores.
  for part in text:gmatch("[^%s/]+/?") do
    for piece in part:gmatch(#part > LONG_WORD and "[^_]+_?" or ".+") do word = math.max(word, ems(piece)) end
  end
  return { length = utf8.len(text) or #text, ems = ems(text), word = word }
end

local function gathered(tbl, rows)
  local columns = {}
  for at = 1, #tbl.colspecs do columns[at] = { longest = 0, ems = 0, word = 0, cells = {} } end
  local function count(row, heading)
    if #row.cells ~= #columns then return end
    for at, cell in ipairs(row.cells) do
      local found, column = measured(cell), columns[at]
      column.word = math.max(column.word, heading and 1.06 * found.word or found.word)
      if not heading then
        column.longest, column.ems = math.max(column.longest, found.length), math.max(column.ems, found.ems)
        if #column.cells < SAMPLE then table.insert(column.cells, found.ems) end
      end
    end
  end
  for _, row in ipairs(tbl.head.rows) do count(row, true) end
  for _, row in ipairs(rows) do count(row, false) end
  for _, column in ipairs(columns) do column.ems = math.max(column.ems, column.word) end
  return columns
end

-- Lines of a row: of its fullest cell, with a little of all others so that ties are broken.
local function lines(columns, widths, row)
  local most, sum = 1, 0
  for at, column in ipairs(columns) do
    local here = (column.cells[row] or 0) / widths[at]
    most, sum = math.max(most, here), sum + here
  end
  return most + 0.05 * sum
end

local function shared(columns, room)
  local widths, left = {}, room
  for at, column in ipairs(columns) do
    widths[at] = math.min(column.ems, column.longest <= SHORT and column.ems or column.word) + 0.2
    left = left - widths[at]
  end
  if left < 0 then return nil end
  local rows = #columns[1].cells
  local function height()
    local sum = 0
    for row = 1, rows do sum = sum + lines(columns, widths, row) end
    return sum
  end
  while left >= STEP do
    local best, least
    for at, column in ipairs(columns) do
      if widths[at] < column.ems then
        widths[at] = widths[at] + STEP
        local now = height()
        widths[at] = widths[at] - STEP
        if not least or now < least then best, least = at, now end
      end
    end
    if not best then break end
    widths[best], left = widths[best] + STEP, left - STEP
  end
  return widths
end

local function height(columns, widths, size, rows, heads)
  local ems_high = 0
  for row = 1, rows do
    local most = 1
    for at, column in ipairs(columns) do most = math.max(most, math.ceil((column.cells[row] or 0) / widths[at])) end
    ems_high = ems_high + most * PITCH + AROUND
  end
  return size * (ems_high + heads * (PITCH + AROUND))
end

-- Widths for Typst, the size in points ("auto" where the page decides), whether the table stays in one piece, and
-- whether its rows may break.
return function(tbl, rows)
  local columns = gathered(tbl, rows)
  local many, natural, tall = #columns, 0, false
  local pad = many > MOST and 0.68 or 1
  for _, column in ipairs(columns) do
    natural, tall = natural + column.ems + pad, tall or column.longest > TALL
  end
  local found = {}
  for at = 1, many do found[at] = "auto" end
  local first = many > MOST and 3 or many > MANY and 2 or 1
  local heads = #tbl.head.rows + #rows - #columns[1].cells -- with the rows of groups
  if natural <= LINE / SIZES[first] then
    -- A table that fits with room to spare needs no measuring by Typst, which costs as much as setting it.
    local size = "auto"
    for at = #SIZES, 1, -1 do
      if natural <= SPARE * LINE / SIZES[at] then size = SIZES[at] .. "pt" end
    end
    return found, size, (#rows + #tbl.head.rows) * (PITCH + AROUND) * SIZES[1] < WHOLE, tall
  end
  for at = first, #SIZES do
    local widths = shared(columns, LINE / SIZES[at] - many * pad)
    if widths then
      for column, width in ipairs(widths) do found[column] = string.format("%.2ffr", width + pad) end
      local whole = #columns[1].cells < SAMPLE and height(columns, widths, SIZES[at], #columns[1].cells, heads) < WHOLE
      return found, SIZES[at] .. "pt", whole, tall
    end
  end
  return found, "auto", false, tall
end
