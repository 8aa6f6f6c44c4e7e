"""Choosing a cover, by keyboard and without a script; and on a telephone."""

from __future__ import annotations

import io
import re

from PIL import Image
from playwright.async_api import Browser, Page, expect

from sleevenotes import events, model
from sleevenotes.artwork import image
from sleevenotes.store import artwork_candidates, images, sent_images
from sleevenotes.store import events as event_rows
from sleevenotes.store.postgres import Connection
from tests.browser.conftest import Site, log_in, watched
from tests.browser.sample import SLEEVES, Listener, Sleeve, draw
from tests.browser.test_pages import CONTRASTS, keep_picture

ALBUM, OTHER = SLEEVES[0], SLEEVES[2]


async def an_album(listener: Listener) -> int:
    """Play an album whose cover is found, and for which Deezer offers another; return its id."""
    await listener.arrive()
    now = listener.clock.now()
    for track in ALBUM.tracks[:2]:
        stored = await listener.play(ALBUM, track, now)
        group_id = await listener.match(stored.lookup_id, ALBUM, track)
    await listener.find_cover(group_id, ALBUM)
    digest = await listener.find_cover(group_id, OTHER)  # keeps its picture, too; the cover stays as it is
    async with listener.database.transaction() as conn:
        front = await conn.fetchval("SELECT encode(digest, 'hex') FROM images JOIN artworks ON image_id = images.id")
        for source, name, url in (("coverartarchive", front, "a"), ("deezer", digest, "b")):
            new = artwork_candidates.New(
                source, url, now, exact=source != "deezer", artist=ALBUM.artist, release=ALBUM.album
            )
            await artwork_candidates.put(conn, group_id, [new])
            stored_image = await images.by_digest(conn, name)
            assert stored_image is not None
            [candidate] = [each for each in await artwork_candidates.load(conn, group_id) if each.url == url]
            await artwork_candidates.fetched(conn, candidate.id, stored_image.id, None, (600, 600))
    return group_id


async def shown(page: Page) -> list[str]:
    """Return the pictures of the feed's rows, by the first digits of their digests."""
    return [
        str(each).split("/")[2][:8]
        for each in await page.locator(".play img.front").evaluate_all("all => all.map(i => i.getAttribute('src'))")
    ]


async def test_a_cover_is_chosen_by_keyboard_seen_on_every_play_and_undone(site: Site, page: Page) -> None:
    await an_album(site.listener)
    await log_in(page, site)
    [before, same] = await shown(page)
    assert before == same
    feed = await page.context.new_page()
    await feed.goto(site.url)
    await page.locator(".play .title").first.click()
    await page.get_by_role("link", name="Another cover").click()
    await expect(
        page.get_by_role("button", name=re.compile("^Shown now: Cover Art Archive, 600 by 600"))
    ).to_be_visible()
    await keep_picture(page, "cover")
    await page.get_by_role("button", name=re.compile("^Choose: Deezer, 600 by 600 pixels")).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("Chosen, for plays past and to come.")
    await expect(page.get_by_role("button", name=re.compile("^Shown now: Deezer"))).to_be_visible()
    await expect(feed.locator(f".play img.front[src*='{before}']")).to_have_count(0)  # without reloading
    await page.goto(f"{site.url}/settings")
    await page.get_by_role("link", name="Covers you chose").click()
    await expect(page.get_by_text("600, chosen")).to_be_visible()
    await keep_picture(page, "settings-covers")
    await page.get_by_role("button", name="Give up the cover of").click()
    await expect(feed.locator(f".play img.front[src*='{before}']")).to_have_count(2)
    await page.get_by_role("button", name="Undo").click()
    await expect(feed.locator(f".play img.front[src*='{before}']")).to_have_count(0)


async def test_an_upload_is_chosen_without_a_script_on_a_telephone_and_a_wrong_file_is_refused(
    site: Site, browser: Browser
) -> None:
    group_id = await an_album(site.listener)
    for theme in ("light", "dark"):
        context = await browser.new_context(
            java_script_enabled=False,
            viewport={"width": 320, "height": 800},
            color_scheme=theme,
        )
        page = await watched(context)
        await log_in(page, site)
        await page.goto(f"{site.url}/albums/{group_id}/cover")
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the choice scrolls sideways by {wide} px"
        assert not await page.evaluate(CONTRASTS)
        await keep_picture(page, f"cover-phone-{theme}")
        data = io.BytesIO()
        Image.new("RGB", (300, 300), "teal" if theme == "light" else "gold").save(data, "PNG")
        field = page.get_by_label("A file")
        await field.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture at all"})
        await page.get_by_role("button", name="Choose it").click()
        await expect(page.get_by_role("alert")).to_contain_text("The file is no JPEG, PNG or WebP image")
        await page.get_by_label("A file").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": data.getvalue()}
        )
        await page.get_by_role("button", name="Choose it").click()
        await expect(page.locator(".notice")).to_contain_text("Chosen, for plays past and to come.")
        await expect(page.get_by_role("button", name=re.compile("^Shown now: Uploaded, 300 by 300"))).to_be_visible()
        await page.goto(f"{site.url}/settings/covers")
        assert not await page.evaluate(CONTRASTS)
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        await context.close()


async def test_long_words_and_the_picker_of_a_time_fit_a_telephone(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    now = listener.clock.now()
    word = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente"
    sent = model.Scrobble(word, word, word, now)
    [stored] = await listener.submitter.submit(listener.account.id, [sent], band=model.Band.DEFAULT)
    await page.set_viewport_size({"width": 320, "height": 800})
    await log_in(page, site)
    for way in ("cover", "edit"):
        await page.goto(f"{site.url}/scrobbles/{stored.id}/{way}")
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{way} scrolls sideways by {wide} px"
        await keep_picture(page, f"{way}-long-word")


async def test_lastfms_picture_appears_on_the_open_page_and_gives_way_without_reloading(site: Site, page: Page) -> None:
    listener = site.listener
    await listener.arrive()
    await log_in(page, site)
    await page.evaluate("window.stayed = true")
    played = model.Scrobble(
        ALBUM.artist,
        ALBUM.tracks[0],
        ALBUM.album,
        listener.clock.now(),
        artwork_uri="https://lastfm.freetls.fastly.net/i/u/300x300/a.jpg",
    )
    [stored] = await listener.submitter.submit(listener.account.id, [played], band=model.Band.DEFAULT)
    row = page.locator(f"#p{stored.id}")
    await expect(row).to_contain_text(ALBUM.tracks[0])
    async with listener.database.transaction() as conn:
        temporary = await picture(conn, listener, OTHER)
        [sent_id] = [row["id"] for row in await conn.fetch("SELECT id FROM sent_images")]
        await sent_images.decide(conn, sent_id, "fetched", listener.clock.now(), image_id=temporary.id)
        told = events.PreviewsShown((stored.lookup_id,))
        await event_rows.tell(conn, [listener.account.id], told, listener.clock.now())
    shown_now = row.locator(f"img.front[src*='{temporary.image.digest}']")
    await expect(shown_now).to_be_visible()
    group_id = await listener.match(stored.lookup_id, ALBUM, ALBUM.tracks[0])
    await expect(row.get_by_role("link", name=ALBUM.album)).to_be_visible()
    await expect(shown_now).to_be_visible()
    cover = await listener.find_cover(group_id, ALBUM)
    await expect(row.locator(f"img.front[src*='{cover}']")).to_be_visible()
    assert await page.evaluate("window.stayed") is True


async def picture(conn: Connection, listener: Listener, sleeve: Sleeve) -> images.Stored:
    """Store a sleeve's picture, of nobody's album yet."""
    data = draw(sleeve)
    noun = image.examine(data).as_image(listener.files.keep(data), source="lastfm_images", source_url="")
    await images.keep(conn, noun, listener.clock.now())
    stored = await images.by_digest(conn, noun.digest)
    assert stored is not None
    return stored
