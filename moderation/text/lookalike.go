package text

import "strings"

// lookalikes holds, for each Latin letter, letters of other alphabets and of phonetics that people take for it, in lower case
// and free of accents. Circled, bold, full-width and the like are not here: NFKC undoes them.
const lookalikes = `
a аαɑɐᴀᎪꓮⲁ∀ӕ
b ЬьвʙᏴβƄƀɓᏏꓐ
c сςϲⅽᴄᏟꓚⲥɔ¢ƈȼ
d ԁɖɗᴅᎠꓓⅾđժδꭰ
e еεєҽɛǝᴇᎬꓰə℮ɘɇ
f ғƒꜰꓝϝք
g ɡɢᏀԍցǥɠɣ
h һнʜᎻꓧհⲏђћɥħ
i іıɩɪιɨᎥꓲⲓїι
j јʝᴊᎫꓙϳɉ
k кκĸᴋᏦꓗⲕƙқ
l ӏǀʟᏞꓡⅼłɭӀ|ℓɫľ
m мʍᴍᎷꓟⅿɱⲙ
n пոиɴꓠńηռղɲƞŋ
o оοօᴏჿ߀ഠ๐øσөѳⲟꓳɵⵔ
p рρᴘᏢꓑþϸⲣƿքр
q ԛգʠϙզ
r гʀᏒꓣɹɾгɼᴦя
s ѕꜱՏꓢʂƽѕᏚꮪ
t тτᴛꓔŧƫⲧʇᎢt
u υᴜսꓴʉμцʊц
v νѵᴠꓦⅴᏙ۷ט
w ԝωшᴡᎳꓪաɯѡʷщ
x хχжҳẋ᙭ꓫⲭ×
y уүγʏҮꓬⲩɏყʎұ
z ᴢƶʐꓜȥᏃⲍʒ
`

var latin = readLookalikes(lookalikes)

func readLookalikes(table string) map[rune]rune {
	looks := map[rune]rune{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		to, others, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, r := range strings.ToLower(others) {
			if _, taken := looks[r]; !taken && r > 0x7f {
				looks[r] = rune(to[0])
			}
		}
	}
	return looks
}

// lookalike is the Latin letter that r is taken for, r itself where there is none.
func lookalike(r rune) rune {
	if l, ok := latin[r]; ok {
		return l
	}
	return r
}

// stands lists the letters that a digit or sign is written for; empty where it stands for none.
func stands(r rune) string {
	switch r {
	case '0':
		return "o"
	case '1', '!', '|', '¡':
		return "il"
	case '2':
		return "z"
	case '3', '€':
		return "e"
	case '4', '@', '^':
		return "a"
	case '5', '$', '§':
		return "s"
	case '6':
		return "gb"
	case '7', '+', '†':
		return "t"
	case '8':
		return "b"
	case '9':
		return "gq"
	case '£':
		return "l"
	case '(', '<':
		return "c"
	}
	return ""
}
