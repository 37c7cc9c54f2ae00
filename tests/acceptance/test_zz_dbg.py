import tests.acceptance.test_rights as t
from tests.acceptance.marked import *
async def test_x(database,tmp_path):
    async with t.marked_app(database,tmp_path) as app:
        async for what,text in t.exported(app,t.RightsLevel.OPEN):
            print("EXP",what,len(text),text[:150].replace("\n","|"), app.marks.found("openfolk",text).__len__())
async def test_y(database,tmp_path):
    async with t.marked_app(database,tmp_path,profiles=mislabelled("shopkeep")) as app:
        noticed = {what.split(" ")[0] async for what, text in t.answers(app, t.RightsLevel.OPEN) if t.leaks(app.marks, text, t.RightsLevel.OPEN)}
        print("UNSEEN", {p for p in await t.readable(app.client) if not p.startswith("/users")}-noticed)
        async for w,text in t.answers(app, t.RightsLevel.OPEN):
            if w.startswith(("/ml/genres","/ml/moods","/albums/{album_id}/similar","/recordings", "/artists/{artist_id}/similar")): print("ANS",w,text[:300])
