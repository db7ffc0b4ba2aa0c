// Reads a feed on standard input with one of npm's readers, and writes what it found as JSON.
import { readFileSync } from "node:fs";

const feed = readFileSync(0, "utf8");

async function feedsmith() {
  const { parseFeed } = await import("feedsmith");
  const read = parseFeed(feed);
  const page = (links) => links.find((link) => link.rel === "alternate").href;
  const rows = {
    rss: (each) => ({
      id: each.guid.value, title: each.title, link: each.link, published: each.pubDate,
      updated: each.atom.updated, content: each.content?.encoded,
    }),
    atom: (each) => ({
      id: each.id, title: each.title.value ?? each.title, link: page(each.links), published: each.published,
      updated: each.updated, content: each.content?.value,
    }),
    json: (each) => ({
      id: each.id, title: each.title, link: each.url, published: each.date_published,
      updated: each.date_modified, content: each.content_html,
    }),
  };
  return (read.feed.items ?? read.feed.entries ?? []).map(rows[read.format]);
}

async function rssParser() {
  const { default: Parser } = await import("rss-parser");
  const read = await new Parser({ customFields: { item: ["atom:updated", "updated"] } }).parseString(feed);
  return read.items.map((each) => ({
    id: each.guid ?? each.id, title: each.title, link: each.link, published: each.isoDate,
    updated: each["atom:updated"] ?? each.updated, content: each["content:encoded"] ?? each.content,
  }));
}

const readers = { feedsmith, "rss-parser": rssParser };
process.stdout.write(JSON.stringify(await readers[process.argv[2]]()));
