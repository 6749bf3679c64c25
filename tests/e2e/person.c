/* person.c - see person.h. */
#include "e2e/person.h"

#include "e2e/scene.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 24 };

#define WHO "-u ann $ADDR:9999"

struct person person;

bool
person_begin(const char *config, int columns, const char *env, const char *args)
{
	person.server = server_start("%s", config);
	if (!terminal_is_there(person.server)) {
		scene_end(person.server, NULL);
		return false;
	}
	person.bot = scene_bot(person.server);
	person.terminal =
	    terminal_open(person.server, columns, ROWS, env ? env : "", args ? args : WHO);
	person_sees(env && strstr(env, "en_US") ? "Your message:" : "请输入消息：");
	return true;
}

void
person_end(void)
{
	person_presses("C-e", 1);
	person_presses("C-u", 1);
	person_presses("C-d", 1);
	ck_assert_int_eq(terminal_wait_exit(person.terminal), 0);
	terminal_close(person.terminal);
	scene_end(person.server, person.bot);
}

void
person_types(const char *text)
{
	terminal_type(person.terminal, text);
}

void
person_presses(const char *key, int times)
{
	for (int i = 0; i < times; i++)
		terminal_key(person.terminal, key);
}

void
person_sees(const char *text)
{
	terminal_expect(person.terminal, text);
}

void
person_sees_no(const char *text)
{
	terminal_expect_no(person.terminal, text);
}

void
person_sees_screen(const char *rows, int column, int row)
{
	terminal_expect_screen(person.terminal, rows, column, row);
}

void
person_sees_line(const char *rows, int column, int row)
{
	char all[2048];

	snprintf(all, sizeof all, GREETING "%s\n", rows);
	terminal_expect_screen(person.terminal, all, column, row + 1);
}
