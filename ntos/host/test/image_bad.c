/* An image with an import that nothing provides. */
int usernt_no_such_routine(int);
int image_next(void);

int image_next(void)
{
    return usernt_no_such_routine(1);
}
