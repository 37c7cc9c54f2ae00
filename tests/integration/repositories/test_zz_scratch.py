from tests.integration.repositories.test_name_search import *
from tests.integration.repositories.test_name_search import _NAMES
for _n in [n for n in list(globals()) if n.startswith("test_")]: del globals()[_n]
async def test_explain(database):
    await fill(database, albums=3000)
    async with database.connection() as c:
        await c.execute("VACUUM ANALYZE albums")
        print("DEF", [r[0] for r in await c.fetch("select indexdef from pg_indexes where indexname like 'ix_albums_names%'")])
        for off in (False, True):
            async with c.transaction():
                await c.execute(name_search.SET_THRESHOLD)
                if off: await c.execute("SET LOCAL enable_seqscan=off")
                for r in await c.fetch(f"EXPLAIN ANALYZE SELECT id FROM albums WHERE {name_search.fitting(_NAMES,1)}", *name_search.parameters("abey raod")): print("PLAN",off,r[0])
