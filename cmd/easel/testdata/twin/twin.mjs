// Runs discord-digital-twin, with one server and its two channels, and does what Go asks it over a door of its own:
//
//   node twin.mjs FOLDER TOKEN    FOLDER is where install.sh put the package, TOKEN the bot's
//
// It says where it is in one line of JSON, and ends with its standard input, so that it outlives nobody. The door takes
// POST /TASK with a JSON object, and answers with JSON.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, token] = process.argv.slice(2)
const entry = createRequire(join(folder, 'any.js')).resolve('discord-digital-twin')
const { DigitalDiscord, generateSnowflake } = await import(pathToFileURL(entry))

const text = 0
const direct = 1
const channel = generateSnowflake()
const review = generateSnowflake()
const twin = new DigitalDiscord({
  botToken: token,
  channels: [
    { id: channel, name: 'pictures', type: text },
    { id: review, name: 'review', type: text },
  ],
})
const rows = twin.prisma

const tasks = {
  // Somebody joins the server.
  async join({ name, permissions }) {
    const id = generateSnowflake()
    await rows.user.create({ data: { id, username: name, globalName: name } })
    await rows.guildMember.create({ data: { guildId: twin.guildId, userId: id, permissions } })
    return { id }
  },
  async command({ channel, user, name, options }) {
    return twin.simulateSlashCommand({ channelId: channel, userId: user, name, options })
  },
  async press({ channel, user, message, button }) {
    return twin.simulateButtonClick({ channelId: channel, userId: user, messageId: message, customId: button })
  },
  // Opens somebody's direct messages with the bot.
  async direct() {
    const id = generateSnowflake()
    await rows.channel.create({ data: { id, type: direct } })
    return { id, type: direct }
  },
  // The message that answers an interaction. After a deferral there is none yet, though the twin takes the one whose button
  // was pressed for it.
  async answered({ interaction, deferred }) {
    const where = { interactionId: interaction }
    if (deferred) await rows.interactionResponse.update({ where, data: { messageId: null } })
    const { messageId } = await rows.interactionResponse.findUniqueOrThrow({ where })
    return { id: messageId ?? '' }
  },
  async messages({ channel }) {
    const list = await rows.message.findMany({ where: { channelId: channel }, orderBy: { id: 'asc' } })
    return list.map(({ id, content, flags, embeds, components }) => ({
      id, content, flags, embeds: JSON.parse(embeds), components: JSON.parse(components),
    }))
  },
}

async function serve(request, response) {
  try {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    response.end(JSON.stringify(await tasks[request.url.slice(1)](JSON.parse(body))))
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
}

await twin.start()
const door = createServer(serve)
door.keepAliveTimeout = 60_000
door.listen(0, '127.0.0.1', () => {
  const at = { api: twin.restUrl, gateway: twin.gatewayUrl, door: `http://127.0.0.1:${door.address().port}` }
  console.log(JSON.stringify({ ...at, guild: twin.guildId, channel, review }))
})
process.stdin.resume().on('end', () => process.exit())
