-- Blocks in dnsdist (1.7 or later) what nametap has written to a file of format `dnsdist`:
--
--   nametap_list = '/var/lib/nametap/blocked.dnsdist'   -- where it is, if not here
--   dofile('/etc/dnsdist/nametap.lua')
--
-- Once a second each name that is still in the file is blocked for three seconds more, with everything below it. What was
-- taken out, or ran out, resolves again within four seconds, also when nametap or the file is gone.
nametap_list = nametap_list or '/var/lib/nametap/blocked.dnsdist'

local before = maintenance

function maintenance()
  if before then before() end
  local file = io.open(nametap_list)
  if not file then return end
  local now = os.time()
  local names = {}
  for line in file:lines() do
    local ends, name = line:match('^(%d+) ([%w._-]+)$')
    if ends and tonumber(ends) > now then names[#names + 1] = name end
  end
  file:close()
  if #names > 0 then addDynBlockSMT(names, 'nametap', 3, DNSAction.Nxdomain) end
end
